//! The parsed condition, and the peculiar tree that Flagr builds from a chain of operators.

/// A parsed condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// `first`, then each operator applied to the result so far and its operand, strictly from left to right.
    /// `rest` is never empty. However long the text, chains nest at most two deep between two [`Expr::Group`]s.
    Chain { first: Box<Expr>, rest: Box<[(BinaryOp, Expr)]> },
    /// Parentheses. They change nothing but the way the condition is printed.
    Group(Box<Expr>),
    /// A number; never infinite, never NaN.
    Number(f64),
    /// A text. Escapes can put bytes in it that are not UTF-8.
    String(Box<[u8]>),
    /// `true` or `false`.
    Bool(bool),
    /// An array of numbers, never empty.
    Numbers(Box<[f64]>),
    /// An array of texts, never empty.
    Strings(Box<[Box<[u8]>]>),
    /// A value of the context.
    Variable(Variable),
}

impl Expr {
    /// Whether it reads a key of the context for which this holds.
    pub(crate) fn reads(&self, wanted: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Chain { first, rest } => {
                first.reads(wanted) || rest.iter().any(|(_, operand)| operand.reads(wanted))
            }
            Self::Group(inner) => inner.reads(wanted),
            Self::Variable(Variable::Flat(key) | Variable::Path { root: key, .. }) => wanted(key),
            Self::Number(_)
            | Self::String(_)
            | Self::Bool(_)
            | Self::Numbers(_)
            | Self::Strings(_) => false,
        }
    }
}

/// Where in the context a value is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Variable {
    /// A key of the context itself, dots included.
    Flat(Box<str>),
    /// A key of the context, then at least one step into its value.
    Path { root: Box<str>, steps: Box<[Step]> },
}

/// One step into a nested value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A member of an object.
    Name(Box<str>),
    /// An element of an array; negative numbers count from its end.
    Index(i64),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BinaryOp {
    And,
    Or,
    Xor,
    Nand,
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Ereg,
    Nereg,
    In,
    NotIn,
    Contains,
    NotContains,
}

impl BinaryOp {
    /// How strongly the operator binds.
    fn precedence(self) -> u8 {
        match self {
            Self::Or | Self::Xor => 1,
            Self::And | Self::Nand => 2,
            _ => 3,
        }
    }
}

/// Operators, each with the operand to its right.
type Links = Vec<(BinaryOp, Expr)>;

impl Expr {
    /// Builds the tree Flagr builds from operands and operators in the order of the text.
    ///
    /// A further `op X` looks at the root only. If the root `L root R` binds no stronger than `op`, it becomes
    /// `L root (R op X)`, otherwise `(L root R) op X`. So the right side of a root collects operands strictly from left
    /// to right, whatever binds stronger among them, and roots pile up to the left, at most one per precedence.
    pub(super) fn chain(first: Self, rest: Links) -> Self {
        let mut roots: Vec<(BinaryOp, Self, Links)> = Vec::new();
        for (op, operand) in rest {
            match roots.last_mut() {
                Some((root, _, right)) if root.precedence() <= op.precedence() => {
                    right.push((op, operand));
                }
                _ => roots.push((op, operand, Vec::new())),
            }
        }
        let mut flat = Vec::new();
        for (root, operand, right) in roots {
            // `A AND (B AND C)` decides like `(A AND B) AND C`, as both stop at the first operand that settles it.
            let alike = matches!(root, BinaryOp::And | BinaryOp::Or)
                && right.iter().all(|(op, _)| *op == root);
            if alike {
                flat.push((root, operand));
                flat.extend(right);
            } else {
                flat.push((root, Self::from_left(operand, right)));
            }
        }
        Self::from_left(first, flat)
    }

    fn from_left(first: Self, rest: Links) -> Self {
        if rest.is_empty() {
            return first;
        }
        Self::Chain { first: Box::new(first), rest: rest.into() }
    }
}
