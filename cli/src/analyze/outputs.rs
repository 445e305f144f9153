//! Where the reports of `analyze` go: each form to stdout or to a file of its own, at most one of them to stdout.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::args::AnalyzeArgs;
use crate::exit::Exit;
use crate::problem::{Problem, file_name};

/// Where one form of the report goes.
pub(super) enum Sink {
    Stdout,
    File { name: String, file: File },
}

impl Sink {
    /// Makes the file, if there is a path. One that cannot be written is told before any module is looked at, and no report
    /// of another run is left there for one of this.
    fn open(wanted: &Option<Option<PathBuf>>) -> Result<Option<Self>, Problem> {
        let Some(path) = wanted else { return Ok(None) };
        let Some(path) = path else { return Ok(Some(Self::Stdout)) };
        let name = file_name(path);
        match File::create(path) {
            Ok(file) => Ok(Some(Self::File { name, file })),
            Err(error) => Err(Problem::new(Exit::Usage, &name, format!("cannot write: {error}"))),
        }
    }

    /// Writes to where it goes; `out` is stdout.
    pub(super) fn write(
        &mut self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Result<(), Problem>> {
        match self {
            Self::Stdout => write(out).map(Ok),
            Self::File { name, file } => {
                let mut buffered = io::BufWriter::new(file);
                let written = write(&mut buffered).and_then(|()| buffered.flush());
                let problem = |error| Problem::new(Exit::Usage, name, format!("cannot write: {error}"));
                Ok(written.map_err(problem))
            }
        }
    }
}

/// Every form that was asked for; without any, the screen on stdout.
pub(super) struct Outputs {
    pub(super) json: Option<Sink>,
    pub(super) sarif: Option<Sink>,
    pub(super) html: Option<Sink>,
    pub(super) csv: Option<Sink>,
    pub(super) dot: Option<Sink>,
}

/// Which forms are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) screen: bool,
    pub(super) json: bool,
    pub(super) sarif: bool,
    pub(super) html: bool,
    pub(super) csv: bool,
    pub(super) dot: bool,
}

impl Outputs {
    pub(super) fn open(args: &AnalyzeArgs) -> Result<Self, Problem> {
        let all = [
            ("--json", &args.json),
            ("--sarif", &args.sarif),
            ("--html", &args.html),
            ("--csv", &args.csv),
            ("--dot", &args.dot),
        ];
        let to_stdout = all.iter().filter(|(_, wanted)| matches!(wanted, Some(None)));
        let to_stdout: Vec<_> = to_stdout.map(|(flag, _)| *flag).collect();
        if let [first, second, ..] = *to_stdout {
            let sentence = format!("goes to stdout, as {first} does");
            return Err(Problem::new(Exit::Usage, second, sentence)
                .help(&format!("`{second}=PATH` writes it to a file")));
        }
        Ok(Self {
            json: Sink::open(&args.json)?,
            sarif: Sink::open(&args.sarif)?,
            html: Sink::open(&args.html)?,
            csv: Sink::open(&args.csv)?,
            dot: Sink::open(&args.dot)?,
        })
    }

    pub(super) const fn wanted(&self) -> Wanted {
        let (json, sarif) = (self.json.is_some(), self.sarif.is_some());
        let (csv, dot) = (self.csv.is_some(), self.dot.is_some());
        let html = self.html.is_some();
        Wanted { screen: !json && !sarif && !html && !csv && !dot, json, sarif, html, csv, dot }
    }
}
