//! Exit codes, one declaration for all verbs.

/// How a verb ended; with several files the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Fine = 0,
    Findings = 1,
    Usage = 2,
    Refused = 3,
    Internal = 4,
}

impl Exit {
    pub(crate) const ALL: [Self; 5] =
        [Self::Fine, Self::Findings, Self::Usage, Self::Refused, Self::Internal];

    /// Says when a verb ends so.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Findings => "a directive of a script failed",
            Self::Usage => "wrong usage, or a file that cannot be read or written",
            Self::Refused => "a module is malformed, invalid, unsupported or over a limit",
            Self::Internal => "an internal error of wasmos: please report it",
        }
    }
}
