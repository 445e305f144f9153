//! What a rule says: a finding, with grade, place, evidence and advice. Plain data.

use std::fmt;

use wasmos_frontend::types::FuncIdx;

use crate::lines::SourceLine;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Worth knowing.
    Info,
    /// Worth a look before the module is used.
    Warning,
    /// The module should not be used.
    Severe,
}

impl Grade {
    /// Every grade, in order.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Severe];

    /// Returns the word that reports and policies use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Severe => "severe",
        }
    }

    /// Returns the grade of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.name() == name)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A heuristic on code whose names say nothing.
    Low,
    /// A heuristic.
    Medium,
    /// A fact.
    High,
}

impl Confidence {
    /// Returns the share of a weight that counts, in tenths.
    #[must_use]
    pub const fn tenths(self) -> u32 {
        match self {
            Self::Low => 4,
            Self::Medium => 7,
            Self::High => 10,
        }
    }

    /// Returns the word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a rule is about; points of a category are capped together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Work that the user did not ask for.
    Miner,
    /// Code that hides what it does.
    Obfuscation,
    /// What the host would let it do.
    Capability,
    /// What it can use up.
    Resources,
    /// What data and sections say.
    Data,
    /// How well it is protected against itself.
    Posture,
}

impl Category {
    /// Every category, in order.
    pub const ALL: [Self; 6] =
        [Self::Miner, Self::Obfuscation, Self::Capability, Self::Resources, Self::Data, Self::Posture];

    /// Returns the word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Miner => "miner",
            Self::Obfuscation => "obfuscation",
            Self::Capability => "capability",
            Self::Resources => "resources",
            Self::Data => "data",
            Self::Posture => "posture",
        }
    }

    /// Returns the most points that it gives to the score.
    #[must_use]
    pub const fn cap(self) -> u32 {
        match self {
            Self::Miner => 40,
            Self::Obfuscation | Self::Capability => 30,
            Self::Resources | Self::Data => 20,
            Self::Posture => 5,
        }
    }
}

/// Where a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The function, if it is in one.
    pub func: Option<FuncIdx>,
    /// Absolute offset; 0 for the module as a whole.
    pub offset: u32,
}

impl Place {
    /// The module as a whole.
    pub const MODULE: Self = Self { func: None, offset: 0 };

    /// A place in a section.
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self { func: None, offset }
    }

    /// A place in a function.
    #[must_use]
    pub const fn in_func(func: FuncIdx, offset: u32) -> Self {
        Self { func: Some(func), offset }
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is here, at most the rule's grade.
    pub grade: Grade,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was found: a sentence. It holds no text of the guest.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Where debug information says that it comes from.
    pub source: Option<SourceLine>,
    /// What it rests on: numbers, and text of the guest, which is untrusted.
    pub evidence: Vec<String>,
    /// How many places like it the rule has found that are no findings of their own.
    pub n_more: u32,
    /// What would take its points away.
    pub remedy: &'static str,
    /// Points that it gives, before the cap of its category.
    pub points: u32,
}
