//! A condition made ready to run: literals as the operators want them, patterns compiled.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use vexilla_domain::Object;

use crate::condition::{BinaryOp, Expr, Variable};
use crate::failure::Failure;
use crate::operand::{Operand, compare, nearly_equal, resolve};
use crate::pattern::{Complaint, Pattern, is_dynamic_match};

/// A condition that can be applied to contexts.
#[derive(Debug)]
pub(crate) struct Program(Node);

#[derive(Debug)]
enum Node {
    Literal(Literal),
    Variable(Variable),
    /// The shape that most constraints have, without a detour.
    Test(Test),
    /// Operators applied from left to right.
    Chain(Box<Node>, Box<[(BinaryOp, Node)]>),
    /// The right side of a pattern match.
    Pattern(Arc<Pattern>),
}

/// A variable against a literal.
#[derive(Debug)]
struct Test {
    variable: Variable,
    op: BinaryOp,
    literal: Literal,
}

#[derive(Debug)]
pub(crate) enum Literal {
    Number(f64),
    Text(Box<[u8]>),
    Bool(bool),
    Numbers(NumberSet),
    Texts(TextSet),
}

/// Compiles conditions, each pattern once.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    patterns: HashMap<Box<[u8]>, Arc<Pattern>>,
    /// What is wrong with patterns that were met since the last [`Compiler::complaints`].
    complaints: Vec<Complaint>,
}

impl Compiler {
    pub(crate) fn compile(&mut self, expr: Expr) -> Program {
        Program(self.node(expr))
    }

    /// What is wrong with patterns that were met since this was asked last.
    pub(crate) fn complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    fn node(&mut self, expr: Expr) -> Node {
        match expr {
            Expr::Group(inner) => self.node(*inner),
            Expr::Chain { first, rest } => {
                let first = self.node(*first);
                let rest: Vec<_> =
                    rest.into_iter().map(|(op, operand)| (op, self.right(op, operand))).collect();
                test_or_chain(first, rest)
            }
            Expr::Variable(variable) => Node::Variable(variable),
            Expr::Number(number) => Node::Literal(Literal::Number(number)),
            Expr::String(text) => Node::Literal(Literal::Text(text)),
            Expr::Bool(value) => Node::Literal(Literal::Bool(value)),
            Expr::Numbers(numbers) => Node::Literal(Literal::Numbers(NumberSet::new(numbers))),
            Expr::Strings(texts) => Node::Literal(Literal::Texts(TextSet::new(texts))),
        }
    }

    fn right(&mut self, op: BinaryOp, operand: Expr) -> Node {
        match (op, self.node(operand)) {
            (BinaryOp::Ereg | BinaryOp::Nereg, Node::Literal(Literal::Text(text))) => {
                let pattern = self.patterns.entry(text);
                let pattern = pattern.or_insert_with_key(|text| Arc::new(Pattern::compile(text)));
                if let Some(complaint) = pattern.complaint() {
                    self.complaints.push(complaint.clone());
                }
                Node::Pattern(Arc::clone(pattern))
            }
            (_, node) => node,
        }
    }
}

fn test_or_chain(first: Node, mut rest: Vec<(BinaryOp, Node)>) -> Node {
    if rest.len() != 1 {
        return Node::Chain(Box::new(first), rest.into());
    }
    match (first, rest.pop()) {
        (Node::Variable(variable), Some((op, Node::Literal(literal)))) => {
            Node::Test(Test { variable, op, literal })
        }
        (first, last) => Node::Chain(Box::new(first), last.into_iter().collect()),
    }
}

impl Program {
    /// Whether the condition holds, or why it cannot be applied.
    #[inline]
    pub(crate) fn holds<'a>(&'a self, context: &'a Object) -> Result<bool, Failure<'a>> {
        if let Node::Test(test) = &self.0 {
            return test.run(context);
        }
        match run(&self.0, context)? {
            Operand::Bool(value) => Ok(value),
            other => Err(Failure::NotABool(other)),
        }
    }
}

impl Test {
    #[inline]
    fn run<'a>(&'a self, context: &'a Object) -> Result<bool, Failure<'a>> {
        let left = resolve(&self.variable, context)?;
        let right = Operand::of_literal(&self.literal);
        match self.op {
            BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Nand => {
                combine(self.op, bool_of(left)?, || bool_of(right))
            }
            op => compare(op, left, right),
        }
    }
}

fn run<'a>(node: &'a Node, context: &'a Object) -> Result<Operand<'a>, Failure<'a>> {
    match node {
        Node::Test(test) => test.run(context).map(Operand::Bool),
        Node::Variable(variable) => resolve(variable, context),
        Node::Literal(literal) => Ok(Operand::of_literal(literal)),
        // Stands at the right of a pattern match only, which takes it itself.
        Node::Pattern(_) => Err(Failure::DynamicPattern),
        Node::Chain(first, rest) => {
            let mut result = run(first, context)?;
            for (op, right) in rest {
                result = Operand::Bool(step(*op, result, right, context)?);
            }
            Ok(result)
        }
    }
}

/// One operator of a chain. AND and OR leave the right side alone where the left decides.
fn step<'a>(
    op: BinaryOp,
    left: Operand<'a>,
    right: &'a Node,
    context: &'a Object,
) -> Result<bool, Failure<'a>> {
    match op {
        BinaryOp::And | BinaryOp::Or => {
            combine(op, bool_of(left)?, || bool_of(run(right, context)?))
        }
        BinaryOp::Xor | BinaryOp::Nand => {
            let right = run(right, context)?; // an error here goes before one of the left's type
            combine(op, bool_of(left)?, || bool_of(right))
        }
        BinaryOp::Ereg => matches(left, right, context),
        BinaryOp::Nereg => matches(left, right, context).map(|it| !it),
        _ => compare(op, left, run(right, context)?),
    }
}

/// Applies a boolean operator.
#[inline]
fn combine<'a>(
    op: BinaryOp,
    left: bool,
    right: impl FnOnce() -> Result<bool, Failure<'a>>,
) -> Result<bool, Failure<'a>> {
    match op {
        BinaryOp::And if !left => Ok(false),
        BinaryOp::Or if left => Ok(true),
        BinaryOp::Xor => right().map(|right| left != right),
        BinaryOp::Nand => right().map(|right| !(left && right)),
        _ => right(),
    }
}

fn bool_of(operand: Operand<'_>) -> Result<bool, Failure<'_>> {
    match operand {
        Operand::Bool(value) => Ok(value),
        other => Err(Failure::NoBool(other)),
    }
}

/// Whether the text at the left holds a match of the pattern at the right.
fn matches<'a>(
    left: Operand<'a>,
    right: &'a Node,
    context: &'a Object,
) -> Result<bool, Failure<'a>> {
    if let Node::Pattern(pattern) = right {
        let Operand::Text(text) = left else {
            return Err(Failure::NoTexts(left, Operand::Text(b"")));
        };
        return pattern.is_match(text).map_err(Failure::Pattern);
    }
    match (left, run(right, context)?) {
        (Operand::Text(text), Operand::Text(pattern)) => {
            is_dynamic_match(pattern, text).ok_or(Failure::DynamicPattern)
        }
        (left, right) => Err(Failure::NoTexts(left, right)),
    }
}

/// Up to this many items are compared one by one, which is faster than a search.
const FEW: usize = 8;

/// Texts to look one up in.
#[derive(Debug)]
pub(crate) struct TextSet {
    texts: Box<[Box<[u8]>]>,
    /// The places of many texts in ascending order; empty for few.
    order: Box<[u32]>,
}

impl TextSet {
    fn new(texts: Box<[Box<[u8]>]>) -> Self {
        let order = ascending(&texts, Ord::cmp);
        Self { texts, order }
    }

    #[inline]
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        if self.order.is_empty() {
            return self.texts.iter().any(|it| **it == *text);
        }
        let at = |place: &u32| self.texts.get(*place as usize).map_or(&[][..], |it| it);
        self.order.binary_search_by(|place| at(place).cmp(text)).is_ok()
    }

    /// The texts as written.
    pub(crate) fn as_slice(&self) -> &[Box<[u8]>] {
        &self.texts
    }
}

/// Numbers to look one up in, nearly equal ones included.
#[derive(Debug)]
pub(crate) struct NumberSet {
    numbers: Box<[f64]>,
    /// The places of many numbers in ascending order; empty for few.
    order: Box<[u32]>,
}

impl NumberSet {
    fn new(numbers: Box<[f64]>) -> Self {
        let order = ascending(&numbers, f64::total_cmp);
        Self { numbers, order }
    }

    #[inline]
    pub(crate) fn contains(&self, number: f64) -> bool {
        const MARGIN: f64 = 2e-6; // twice what equality allows, so that rounding cannot hide a neighbour
        if self.order.is_empty() {
            return self.numbers.iter().any(|it| nearly_equal(number, *it));
        }
        let at = |place: &u32| self.numbers.get(*place as usize).copied().unwrap_or(f64::INFINITY);
        let from = self.order.partition_point(|place| at(place) < number - MARGIN);
        let near = self.order.get(from..).unwrap_or_default().iter().map(at);
        near.take_while(|it| *it <= number + MARGIN).any(|it| nearly_equal(number, it))
    }

    /// The numbers as written.
    pub(crate) fn as_slice(&self) -> &[f64] {
        &self.numbers
    }
}

/// The places of the items in ascending order, if there are enough of them for that to pay.
fn ascending<T>(items: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Box<[u32]> {
    if items.len() <= FEW {
        return Box::default();
    }
    let mut places: Vec<(u32, &T)> = (0..).zip(items).collect();
    places.sort_by(|a, b| compare(a.1, b.1));
    places.into_iter().map(|(place, _)| place).collect()
}
