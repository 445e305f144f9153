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
}

impl Outputs {
    pub(super) fn open(args: &AnalyzeArgs) -> Result<Self, Problem> {
        let all = [("--json", &args.json), ("--sarif", &args.sarif), ("--html", &args.html)];
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
        })
    }

    pub(super) const fn is_screen(&self) -> bool {
        self.json.is_none() && self.sarif.is_none() && self.html.is_none()
    }
}
