//! From findings to a score and a grade. The grade is not the score: nobody dilutes a Severe finding with harmless code, and
//! a pile of remarks rejects no module.

use std::fmt;

use crate::finding::{Category, Confidence, Finding, Grade};

/// The verdict on a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing that needs a look.
    Ok,
    /// Something could not be looked at, and nothing else is wrong.
    Unknown,
    /// Worth a look before it is used.
    Warning,
    /// Not to be used.
    Severe,
}

impl Verdict {
    /// Returns the word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Severe => "severe",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Scores from which a module is graded without a finding of that grade.
const SEVERE: u32 = 60;
const WARNING: u32 = 20;

/// Points of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CategoryScore {
    /// The category.
    pub category: Category,
    /// Points of its findings.
    pub points: u32,
    /// What counts of them.
    pub counted: u32,
}

/// The score, category by category.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// 0 to 100.
    pub total: u32,
    /// Categories that have points.
    pub categories: Vec<CategoryScore>,
}

impl Score {
    /// Adds up the points of findings.
    #[must_use]
    pub fn of(findings: &[Finding], category_of: impl Fn(&Finding) -> Category) -> Self {
        let mut score = Self::default();
        for category in Category::ALL {
            let points: u32 =
                findings.iter().filter(|it| category_of(it) == category).map(|it| it.points).sum();
            if points > 0 {
                let counted = points.min(category.cap());
                score.categories.push(CategoryScore { category, points, counted });
                score.total += counted;
            }
        }
        score.total = score.total.min(100);
        score
    }
}

/// Grades a module. `is_complete` says whether all of it was looked at: what was not is never OK.
#[must_use]
pub fn verdict(findings: &[Finding], score: &Score, is_complete: bool) -> Verdict {
    let severe = |it: &Finding| it.grade == Grade::Severe && it.confidence >= Confidence::Medium;
    if findings.iter().any(severe) || score.total >= SEVERE {
        Verdict::Severe
    } else if findings.iter().any(|it| it.grade >= Grade::Warning) || score.total >= WARNING {
        Verdict::Warning
    } else if is_complete {
        Verdict::Ok
    } else {
        Verdict::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;

    fn finding(rule: &'static str, grade: Grade, confidence: Confidence, points: u32) -> Finding {
        let (message, evidence) = (String::new(), Vec::new());
        let place = Place::MODULE;
        Finding {
            rule,
            grade,
            confidence,
            message,
            place,
            source: None,
            evidence,
            n_more: 0,
            remedy: "",
            points,
        }
    }

    fn judge(findings: &[Finding], is_complete: bool) -> (u32, Verdict) {
        let category = |it: &Finding| match it.rule.as_bytes().first() {
            Some(b'W') => Category::Miner,
            Some(b'M') => Category::Posture,
            _ => Category::Capability,
        };
        let score = Score::of(findings, category);
        (score.total, verdict(findings, &score, is_complete))
    }

    #[test]
    fn points_are_capped_by_category() {
        let many: Vec<_> = (0..9).map(|_| finding("M", Grade::Info, Confidence::High, 1)).collect();
        assert_eq!(judge(&many, true), (5, Verdict::Ok));
        let two = [
            finding("W", Grade::Info, Confidence::High, 90),
            finding("I", Grade::Info, Confidence::High, 90),
        ];
        assert_eq!(judge(&two, true), (70, Verdict::Severe));
    }

    #[test]
    fn a_severe_finding_that_is_unsure_is_a_warning() {
        assert_eq!(judge(&[finding("W", Grade::Severe, Confidence::Low, 16)], true).1, Verdict::Warning);
        assert_eq!(judge(&[finding("W", Grade::Severe, Confidence::Medium, 0)], true).1, Verdict::Severe);
    }

    #[test]
    fn what_was_not_looked_at_is_not_ok() {
        assert_eq!(judge(&[], false), (0, Verdict::Unknown));
        assert_eq!(judge(&[finding("I", Grade::Warning, Confidence::High, 1)], false).1, Verdict::Warning);
    }
}
