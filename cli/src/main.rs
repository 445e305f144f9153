//! The binary `wasmos`; everything it does is in the library of this package, so that tests can reach it.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    wasmos_cli::main()
}
