//! What is wrong with a flag, collected while it is compiled.

use vexilla_domain::{Flag, Level, Problem};

/// Collects what is wrong with one flag.
pub(crate) struct Report<'a> {
    flag: &'a Flag,
    pub(crate) errors: usize,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(flag: &'a Flag, problems: &'a mut Vec<Problem>) -> Self {
        Self { flag, errors: 0, problems }
    }

    pub(crate) fn error(&mut self, path: String, message: impl Into<Box<str>>) {
        self.errors += 1;
        self.push(Level::Error, path, message);
    }

    pub(crate) fn warning(&mut self, path: String, message: impl Into<Box<str>>) {
        self.push(Level::Warning, path, message);
    }

    fn push(&mut self, level: Level, path: String, message: impl Into<Box<str>>) {
        self.problems.push(Problem {
            level,
            flag_id: self.flag.id,
            flag: self.flag.key.clone(),
            path: path.into(),
            message: message.into(),
        });
    }
}
