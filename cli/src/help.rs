//! `wasmos help`: verbs and topics; and what clap has to say, made harmless.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::args::{Args, HelpArgs};
use crate::exit::Exit;
use crate::output::Escaped;
use crate::{analyze, inspect, run, wast};

pub(crate) fn show(args: &HelpArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let mut command = Args::command();
    command.build();
    match args.topic.as_deref() {
        None => write!(out, "{}", command.render_long_help())?,
        Some("exit-codes") => exit_codes(out)?,
        Some("json") => [analyze::KEYS, inspect::KEYS, run::KEYS, wast::KEYS]
            .iter()
            .try_for_each(|keys| out.write_all(keys.as_bytes()))?,
        Some(name) => match command.find_subcommand_mut(name) {
            Some(verb) => write!(out, "{}", verb.render_long_help())?,
            None => {
                writeln!(err, "wasmos: error: no verb and no topic is called `{}`", Escaped::new(name))?;
                writeln!(err, "  help: topics are exit-codes and json; `wasmos help` lists the verbs")?;
                return Ok(Exit::Usage);
            }
        },
    }
    Ok(Exit::Fine)
}

/// Writes what clap answers instead of arguments. It quotes what was typed, and a file's name may have been
/// typed by `*`, so that escapes are due here too.
pub(crate) fn show_clap(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let is_mistake = error.use_stderr();
    for line in error.render().to_string().lines() {
        let line = Escaped::new(line);
        if is_mistake { writeln!(err, "{line}")? } else { writeln!(out, "{line}")? }
    }
    Ok(if is_mistake { Exit::Usage } else { Exit::Fine })
}

fn exit_codes(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Exit codes of every verb; of several files the worst counts.\n")?;
    let row = |exit: &Exit| format!("  {:3}  {}", exit.code(), exit.meaning());
    Exit::OF_ALL_VERBS.iter().try_for_each(|exit| writeln!(out, "{}", row(exit)))?;
    writeln!(out, "\nExit codes of `run` beside those.\n")?;
    writeln!(out, "  any  {}", Exit::Guest(0).meaning())?;
    Exit::OF_RUN.iter().try_for_each(|exit| writeln!(out, "{}", row(exit)))?;
    writeln!(
        out,
        "\nA guest may end with any of these numbers itself; `outcome.kind` of --json\ntells them apart."
    )
}
