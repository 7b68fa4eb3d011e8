//! The error of parsers of stored and public codes.

use std::{error::Error, fmt};

/// A text that is not a code of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode {
    text: String,
    expected: &'static str,
}

impl UnknownCode {
    /// `expected` completes the sentence “… is not …”: the kind with its article, and the possible
    /// codes where a person enters one.
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, expected } = self;
        write!(f, "“{text}” is not {expected}")
    }
}

impl Error for UnknownCode {}
