//! What a request waits for.

use std::fmt;

/// What a request waits for. Fits "the job's deadline is nearer than {}".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The try after a failed one. A job whose deadline is nearer has no quota to wait for: its vendor is away.
    NextTry,
    /// The next call that the quota lets out.
    NextTurn,
    /// The answer to a call that was sent.
    Answer,
    /// The outcome of the account's first call, which goes alone.
    FirstCall,
    /// A token from IAM.
    Token,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NextTry => "the next try",
            Self::NextTurn => "the next turn within the quota",
            Self::Answer => "the answer",
            Self::FirstCall => "the account's first call",
            Self::Token => "a new token",
        })
    }
}
