//! `--config FILE.toml`: a configuration is a command line. Its keys are the names of flags, so that each flag is
//! declared once, and its values are read by the same parsers.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, CommandFactory, Parser};
use toml::{Table, Value};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::output::Escaped;
use crate::problem::{Problem, file_name};

/// Length of a configuration, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Parses a command line again, with the flags of the configuration in front of its own, so that these win.
pub(super) fn apply(path: &Path, command_line: &[OsString]) -> Result<RunArgs, Problem> {
    let problem = |sentence: String| Problem::new(Exit::Usage, &file_name(path), sentence);
    let text = text(path)?;
    let table: Table = text.parse().map_err(|error| malformed(path, &text, &error))?;
    let flags = flags(&table).map_err(problem)?;
    // What stands in front of the flags is the program and the verb.
    let own = command_line.get(2..).unwrap_or(&[]);
    let args = [OsString::from("run")].into_iter().chain(flags).chain(own.iter().cloned());
    RunArgs::try_parse_from(args).map_err(|error| {
        let text = error.render().to_string();
        let sentence = text.lines().next().unwrap_or_default();
        problem(Escaped::new(sentence.strip_prefix("error: ").unwrap_or(sentence)).to_string())
    })
}

/// Reads a file of settings.
pub(super) fn text(path: &Path) -> Result<String, Problem> {
    use std::io::Read;
    let read = || {
        let mut text = String::new();
        let len = std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64;
        if len > MAX_BYTES {
            return Err(std::io::Error::other(format!("it is longer than {MAX_BYTES} bytes")));
        }
        Ok(text)
    };
    read().map_err(|error| Problem::new(Exit::Usage, &file_name(path), format!("cannot read: {error}")))
}

/// Says that a file of settings is not as it should be, and in which line.
pub(super) fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let line =
        error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
    Problem::new(Exit::Usage, &file_name(path), format!("line {line}: {}", Escaped::new(error.message())))
}

/// Returns a configuration as flags.
fn flags(table: &Table) -> Result<Vec<OsString>, String> {
    let command = RunArgs::command();
    let mut flags = Vec::new();
    for (key, value) in table {
        let named = |arg: &&Arg| arg.get_long() == Some(key) && key != "config";
        let arg = command.get_arguments().find(named).ok_or_else(|| unknown(&command, key))?;
        let is_list = matches!(arg.get_action(), clap::ArgAction::Append);
        match value {
            Value::Array(values) if is_list => {
                for value in values {
                    flags.push(flag(key, arg, value)?);
                }
            }
            // The flag is not given.
            Value::Boolean(false) if is_switch(arg) => {}
            value => flags.push(flag(key, arg, value)?),
        }
    }
    Ok(flags)
}

/// Whether a flag can stand without a value.
fn is_switch(arg: &Arg) -> bool {
    !arg.get_action().takes_values() || arg.get_num_args().is_some_and(|range| range.min_values() == 0)
}

fn flag(key: &str, arg: &Arg, value: &Value) -> Result<OsString, String> {
    let text = match value {
        Value::Boolean(true) if is_switch(arg) => return Ok(format!("--{key}").into()),
        Value::String(text) if arg.get_action().takes_values() => text.clone(),
        Value::Integer(number) if arg.get_action().takes_values() => number.to_string(),
        Value::Float(number) if arg.get_action().takes_values() => number.to_string(),
        other => return Err(format!("`{key}` cannot be {}", noun(other))),
    };
    Ok(format!("--{key}={text}").into())
}

const fn noun(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

fn unknown(command: &clap::Command, key: &str) -> String {
    let names = command.get_arguments().filter_map(Arg::get_long).filter(|name| *name != "config");
    let names: Vec<_> = names.collect();
    format!("there is no flag `--{}`; there are {}", Escaped::new(key), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags_of(text: &str) -> Result<Vec<String>, String> {
        let flags = flags(&text.parse().expect("it is TOML"))?;
        Ok(flags.into_iter().map(|flag| flag.into_string().expect("it is UTF-8")).collect())
    }

    #[test]
    fn a_key_is_a_flag() {
        let text =
            "fuel = 5\ntimeout = '1s'\nseed = 7\ndeny = ['log', 'alert']\nsensor = '1=2'\nquiet = true";
        let flags =
            ["--deny=log", "--deny=alert", "--fuel=5", "--quiet", "--seed=7", "--sensor=1=2", "--timeout=1s"];
        assert_eq!(flags_of(text), Ok(flags.map(str::to_owned).into()));
        assert_eq!(flags_of("quiet = false\njson = true"), Ok(vec!["--json".into()]));
        assert_eq!(flags_of("json = 'x.json'"), Ok(vec!["--json=x.json".into()]));
    }

    #[test]
    fn what_is_no_flag_or_has_a_value_of_another_kind_is_refused() {
        for (text, sentence) in [
            ("fuel = true", "`fuel` cannot be true or false"),
            ("fuel = [1]", "`fuel` cannot be a list"),
            ("quiet = 'yes'", "`quiet` cannot be text"),
            ("deny = [['log']]", "`deny` cannot be a list"),
            ("[limits]\nfuel = 1", "there is no flag `--limits`"),
            ("config = 'x'", "there is no flag `--config`"),
            ("'fu\\u001bel' = 1", "there is no flag `--fu\\\\u001bel`"),
        ] {
            let message = flags_of(text).expect_err(text);
            assert!(message.starts_with(sentence), "{message}");
        }
    }
}
