//! What the user thinks differently: rules switched off or regraded, imports allowed or denied, limits.

use std::collections::BTreeMap;

use crate::finding::Grade;
use crate::rules::RULES;

/// A policy. The default is that of the rules themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Rules that are not asked.
    pub off: Vec<String>,
    /// Rules whose strongest grade is another one.
    pub grades: BTreeMap<String, Grade>,
    /// Imports that are no finding, as `module.name`; `*` stands for any name or module.
    pub allow: Vec<String>,
    /// Imports that are Severe wherever code can reach them.
    pub deny: Vec<String>,
    /// Fuel of an exported function beyond which its bound is a finding.
    pub max_fuel: u64,
    /// Initial pages of a memory beyond which a cap is advised.
    pub max_pages: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            grades: BTreeMap::new(),
            allow: Vec::new(),
            deny: Vec::new(),
            // What the profile `standard` of a run allows.
            max_fuel: 50_000_000_000,
            max_pages: 16_384,
        }
    }
}

/// Why a policy was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not TOML.
    #[error("the policy is not TOML: {0}")]
    Syntax(String),
    /// A key that no policy has.
    #[error("a policy has no key `{0}`")]
    Key(String),
    /// A value of another kind than the key takes.
    #[error("`{key}` must be {wanted}")]
    Value {
        /// The key.
        key: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// A rule that does not exist.
    #[error("there is no rule `{0}`")]
    Rule(String),
}

impl Policy {
    /// Reads a policy from TOML.
    ///
    /// ```toml
    /// off = ["X004"]
    /// allow = ["env.mapping_callback"]
    /// deny = ["env.emscripten_run_script*"]
    /// max-fuel = 1000000
    /// [grade]
    /// L003 = "info"
    /// ```
    ///
    /// # Errors
    /// What is wrong with the text, by key.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| PolicyError::Syntax(error.message().to_owned()))?;
        let mut policy = Self::default();
        for (key, value) in &table {
            policy.set(key, value)?;
        }
        Ok(policy)
    }

    fn set(&mut self, key: &str, value: &toml::Value) -> Result<(), PolicyError> {
        let wrong = |wanted| PolicyError::Value { key: key.to_owned(), wanted };
        let texts = || -> Result<Vec<String>, PolicyError> {
            let list = value.as_array().ok_or_else(|| wrong("a list of text"))?;
            let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(|| wrong("a list of text"))
        };
        let number = || {
            let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| wrong("a number, not below zero"))
        };
        match key {
            "off" => {
                self.off = texts()?;
                self.off.iter().try_for_each(|rule| known_rule(rule))?;
            }
            "allow" => self.allow = texts()?,
            "deny" => self.deny = texts()?,
            "max-fuel" => self.max_fuel = number()?,
            "max-pages" => self.max_pages = number()?,
            "grade" => {
                let grades = value.as_table().ok_or_else(|| wrong("a table of rules"))?;
                for (rule, grade) in grades {
                    known_rule(rule)?;
                    let grade = grade.as_str().and_then(Grade::from_name);
                    let grade = grade.ok_or_else(|| wrong("`info`, `warning` or `severe` for each rule"))?;
                    self.grades.insert(rule.clone(), grade);
                }
            }
            _ => return Err(PolicyError::Key(key.to_owned())),
        }
        Ok(())
    }

    /// Returns whether a rule is asked.
    #[must_use]
    pub fn is_on(&self, rule: &str) -> bool {
        !self.off.iter().any(|off| off == rule)
    }

    /// Returns whether an import is allowed.
    #[must_use]
    pub fn allows(&self, module: &str, name: &str) -> bool {
        self.allow.iter().any(|pattern| fits(pattern, module, name))
    }

    /// Returns whether an import is denied.
    #[must_use]
    pub fn denies(&self, module: &str, name: &str) -> bool {
        self.deny.iter().any(|pattern| fits(pattern, module, name))
    }
}

fn known_rule(rule: &str) -> Result<(), PolicyError> {
    let is_known = RULES.iter().any(|known| known.id == rule);
    if is_known { Ok(()) } else { Err(PolicyError::Rule(rule.to_owned())) }
}

/// A pattern is `module.name`, split at the last dot; a `*` at the end of either stands for any rest.
fn fits(pattern: &str, module: &str, name: &str) -> bool {
    let part = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    };
    pattern.rsplit_once('.').is_some_and(|(a, b)| part(a, module) && part(b, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_whole_or_refused() {
        let policy =
            Policy::parse("off = ['X004']\nallow = ['env.*']\nmax-fuel = 7\n[grade]\nL003 = 'info'").unwrap();
        assert!(!policy.is_on("X004") && policy.is_on("X003"));
        assert!(policy.allows("env", "anything") && !policy.allows("wbg", "anything"));
        assert_eq!((policy.max_fuel, policy.grades["L003"]), (7, Grade::Info));
        for (text, error) in [
            ("of = []", PolicyError::Key("of".into())),
            ("off = ['Z001']", PolicyError::Rule("Z001".into())),
            (
                "max-fuel = -1",
                PolicyError::Value { key: "max-fuel".into(), wanted: "a number, not below zero" },
            ),
        ] {
            assert_eq!(Policy::parse(text), Err(error));
        }
    }
}
