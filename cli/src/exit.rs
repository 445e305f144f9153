//! Exit codes, one declaration for all verbs.

/// How a verb ended; with several files the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Fine,
    Findings,
    Usage,
    Refused,
    Internal,
    /// The status that a guest asked for.
    Guest(u8),
    OutOfFuel,
    Quota,
    HostCalls,
    Deadline,
    Denied,
    Gate,
    Stopped,
    Trap,
}

impl Exit {
    /// What every verb may end with.
    pub(crate) const OF_ALL_VERBS: [Self; 5] =
        [Self::Fine, Self::Findings, Self::Usage, Self::Refused, Self::Internal];

    /// What only `run` may end with, and the guest's status.
    pub(crate) const OF_RUN: [Self; 8] = [
        Self::OutOfFuel,
        Self::Quota,
        Self::HostCalls,
        Self::Deadline,
        Self::Denied,
        Self::Gate,
        Self::Stopped,
        Self::Trap,
    ];

    /// Returns the code that the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Internal => 4,
            Self::Guest(status) => status,
            Self::OutOfFuel => 120,
            Self::Quota => 121,
            Self::HostCalls => 122,
            Self::Deadline => 124,
            Self::Denied => 125,
            Self::Gate => 126,
            // What a shell gives a program that an interrupt ended.
            Self::Stopped => 130,
            // And one that aborted.
            Self::Trap => 134,
        }
    }

    /// Says when a verb ends so.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Findings => "findings at or above the threshold, or a directive of a script failed",
            Self::Usage => "wrong usage, or a file that cannot be read or written",
            Self::Refused => "a module is malformed, invalid, unsupported or over a limit",
            Self::Internal => "an internal error of wasmos: please report it",
            Self::Guest(_) => "the status that the guest asked for; 255 if it is greater",
            Self::OutOfFuel => "the fuel was used up",
            Self::Quota => "the limit of memory or of output was reached",
            Self::HostCalls => "the limit of host calls was reached",
            Self::Deadline => "the time was up",
            Self::Denied => "an import is withheld, unknown or of another type",
            Self::Gate => "the analysis graded the module severe, or could not look at all of it",
            Self::Stopped => "somebody interrupted the run",
            Self::Trap => "the guest trapped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        let mut codes: Vec<_> =
            Exit::OF_ALL_VERBS.iter().chain(&Exit::OF_RUN).map(|exit| exit.code()).collect();
        codes.dedup();
        assert!(codes.is_sorted());
        assert_eq!(codes.len(), Exit::OF_ALL_VERBS.len() + Exit::OF_RUN.len());
    }
}
