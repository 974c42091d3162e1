//! From text to [`Expr`]: runs the grammar, then builds what it found.

use pest::{Parser, iterators::Pair};

use super::{
    error::ConditionError,
    expr::{BinaryOp, Expr, Step, Variable},
    literal,
};

/// The longest text that is read, in bytes. A limit of ours.
pub(super) const MAX_LENGTH: usize = 1 << 20;
/// How deep parentheses may nest; the grammar has the same number. A limit of ours, so that no text exhausts the stack.
pub(super) const MAX_DEPTH: usize = 256;
/// The most tokens that Flagr reads before the `]` of an array.
const MAX_ARRAY_TOKENS: usize = 65_535;

#[derive(pest_derive::Parser)]
#[grammar = "condition/condition.pest"]
struct Grammar;

/// Parses the text of a condition.
///
/// # Errors
///
/// Flagr refuses the text, or it is longer or nested deeper than we follow.
pub(crate) fn parse(text: &str) -> Result<Expr, ConditionError> {
    if text.len() > MAX_LENGTH {
        return Err(ConditionError::too_long(text.len()));
    }
    let mut pairs = Grammar::parse(Rule::condition, text)
        .map_err(|it| ConditionError::from_grammar(text, &it))?;
    let builder = Builder { text };
    let expr = builder.chain(builder.next(&mut pairs)?)?;
    for leftover in pairs {
        builder.check_leftover(leftover)?;
    }
    Ok(expr)
}

/// The token that `text` begins with, white space and comments aside; empty at the end.
pub(super) fn next_token(text: &str) -> &str {
    Grammar::parse(Rule::next_token, text)
        .ok()
        .and_then(|mut pairs| pairs.next())
        .map_or("", |it| it.as_str())
}

/// Builds expressions from what the grammar found in `text`.
struct Builder<'i> {
    text: &'i str,
}

impl<'i> Builder<'i> {
    fn chain(&self, pair: Pair<'i, Rule>) -> Result<Expr, ConditionError> {
        let mut pairs = pair.into_inner();
        let first = self.operand(self.next(&mut pairs)?)?;
        let mut rest = Vec::new();
        while let Some(operator) = pairs.next() {
            let operator = self.operator(&operator)?;
            rest.push((operator, self.operand(self.next(&mut pairs)?)?));
        }
        Ok(Expr::chain(first, rest))
    }

    fn operator(&self, pair: &Pair<'i, Rule>) -> Result<BinaryOp, ConditionError> {
        Ok(match pair.as_rule() {
            Rule::equal => BinaryOp::Eq,
            Rule::not_equal => BinaryOp::Neq,
            Rule::less => BinaryOp::Lt,
            Rule::less_equal => BinaryOp::Lte,
            Rule::greater => BinaryOp::Gt,
            Rule::greater_equal => BinaryOp::Gte,
            Rule::matches => BinaryOp::Ereg,
            Rule::matches_not => BinaryOp::Nereg,
            Rule::in_list => BinaryOp::In,
            Rule::not_in_list => BinaryOp::NotIn,
            Rule::contains => BinaryOp::Contains,
            Rule::contains_not => BinaryOp::NotContains,
            Rule::and => BinaryOp::And,
            Rule::or => BinaryOp::Or,
            Rule::xor => BinaryOp::Xor,
            Rule::nand => BinaryOp::Nand,
            _ => return Err(self.refuse(pair, "expected an operator".into())),
        })
    }

    fn operand(&self, pair: Pair<'i, Rule>) -> Result<Expr, ConditionError> {
        let decoded = match pair.as_rule() {
            Rule::group => {
                let mut parts = pair.into_inner().skip_while(|it| it.as_rule() == Rule::open);
                return Ok(Expr::Group(Box::new(self.chain(self.next(&mut parts)?)?)));
            }
            Rule::name => return Ok(Expr::Variable(Variable::Flat(flat_key(pair).into()))),
            Rule::path => return self.path(pair).map(Expr::Variable),
            Rule::yes => return Ok(Expr::Bool(true)),
            Rule::no => return Ok(Expr::Bool(false)),
            Rule::number => {
                let negative = pair.as_str().starts_with('-');
                literal::number(&tokens(pair.clone()))
                    .map(|it| Expr::Number(if negative { -it } else { it }))
            }
            Rule::string => literal::string(pair.as_str()).map(Expr::String),
            Rule::regex => Ok(Expr::String(tokens(pair.clone()).into_bytes().into())),
            Rule::array => {
                self.check_size(&pair)?;
                literal::array(&tokens(pair.clone()))
            }
            _ => Err("expected a value".into()),
        };
        decoded.map_err(|message| self.refuse(&pair, message))
    }

    fn path(&self, pair: Pair<'i, Rule>) -> Result<Variable, ConditionError> {
        let mut root = String::new();
        let mut steps = Vec::new();
        for piece in pair.into_inner() {
            match piece.as_rule() {
                Rule::ident => steps.push(Step::Name(piece.as_str().into())),
                Rule::index => {
                    let index = tokens(piece.clone()).parse();
                    let index = index.map_err(|_| {
                        self.refuse(&piece, "an index must be a whole number".into())
                    })?;
                    steps.push(Step::Index(index));
                }
                _ => root.push_str(piece.as_str()),
            }
        }
        Ok(Variable::Path { root: root.into(), steps: steps.into() })
    }

    /// The token after a complete condition is read but means nothing, so a number may be any number.
    fn check_leftover(&self, pair: Pair<'i, Rule>) -> Result<(), ConditionError> {
        match pair.as_rule() {
            Rule::array => self.check_size(&pair),
            Rule::path => self.path(pair).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn check_size(&self, array: &Pair<'i, Rule>) -> Result<(), ConditionError> {
        if array.clone().into_inner().len() <= MAX_ARRAY_TOKENS {
            return Ok(());
        }
        Err(self.refuse(
            array,
            "the array is too long: Flagr reads 65535 numbers, texts and commas, signs included"
                .into(),
        ))
    }

    /// The next of the pairs, which the grammar promises.
    fn next(
        &self,
        pairs: &mut impl Iterator<Item = Pair<'i, Rule>>,
    ) -> Result<Pair<'i, Rule>, ConditionError> {
        pairs.next().ok_or_else(|| {
            ConditionError::bad_literal(
                self.text,
                self.text.len(),
                "the condition is incomplete".into(),
            )
        })
    }

    fn refuse(&self, pair: &Pair<'i, Rule>, message: String) -> ConditionError {
        ConditionError::bad_literal(self.text, pair.as_span().start(), message)
    }
}

/// The texts of the tokens in `pair`, without the white space and comments between them.
fn tokens(pair: Pair<'_, Rule>) -> String {
    pair.into_inner().map(|it| it.as_str()).collect()
}

/// The key that a variable name stands for: a separator goes before every token up to the next separator.
fn flat_key(name: Pair<'_, Rule>) -> String {
    let mut key = String::new();
    let mut separator = "";
    for piece in name.into_inner() {
        match piece.as_rule() {
            Rule::dash => separator = "-",
            Rule::dot => separator = ".",
            _ => {
                key.push_str(separator);
                key.push_str(piece.as_str());
            }
        }
    }
    key
}
