//! A condition made ready to run: literals as the operators want them, patterns compiled.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use vexilla_domain::{Object, Tag};

use crate::condition::{BinaryOp, Expr, Step, Variable};
use crate::failure::Failure;
use crate::measure::{ALLOCATION, REGEX, bytes, text};
use crate::operand::{Operand, compare, resolve};
use crate::pattern::{Complaint, Pattern, is_dynamic_match};
use crate::sets::{NumberSet, TextSet};

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

/// Compiles conditions, each pattern once. What many flags have in common is held once.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    patterns: HashMap<Box<[u8]>, Arc<Pattern>>,
    tags: HashSet<Arc<[Box<str>]>>,
    empty: Arc<Object>,
    /// What is wrong with patterns that were met since the last [`Compiler::complaints`].
    complaints: Vec<Complaint>,
}

impl Compiler {
    pub(crate) fn compile(&mut self, expr: Expr) -> Program {
        Program(self.node(expr))
    }

    /// The values of these tags.
    pub(crate) fn shared_tags(&mut self, tags: &[Tag]) -> Arc<[Box<str>]> {
        let values: Vec<Box<str>> = tags.iter().map(|tag| tag.value.clone()).collect();
        if let Some(known) = self.tags.get(&*values) {
            return Arc::clone(known);
        }
        let values: Arc<[Box<str>]> = values.into();
        self.tags.insert(Arc::clone(&values));
        values
    }

    /// The same attachment. Most are empty.
    pub(crate) fn shared_attachment(&self, attachment: &Arc<Object>) -> Arc<Object> {
        Arc::clone(if attachment.is_empty() { &self.empty } else { attachment })
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

impl Program {
    /// How many bytes it owns beside its own size.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

impl Node {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.heap_bytes(),
            Self::Variable(variable) => variable.heap_bytes(),
            Self::Test(test) => test.variable.heap_bytes() + test.literal.heap_bytes(),
            Self::Chain(first, rest) => {
                let rest = rest.iter().map(|it| size_of_val(it) + it.1.heap_bytes());
                size_of::<Self>() + first.heap_bytes() + rest.sum::<usize>() + 2 * ALLOCATION
            }
            Self::Pattern(_) => REGEX,
        }
    }
}

impl Literal {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Number(_) | Self::Bool(_) => 0,
            Self::Text(text) => bytes(text.len()),
            Self::Numbers(set) => set.heap_bytes(),
            Self::Texts(set) => set.heap_bytes(),
        }
    }
}

impl Variable {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Flat(name) => text(name),
            Self::Path { root, steps } => {
                let names = steps.iter().map(|it| match it {
                    Step::Name(name) => text(name),
                    Step::Index(_) => 0,
                });
                text(root) + size_of_val(&**steps) + ALLOCATION + names.sum::<usize>()
            }
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
