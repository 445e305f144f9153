//! What leaves the program. Names in a module and names of files are chosen by whoever made them: every string of that kind
//! goes through a type of [`wasmos_web_report::shown`].

pub(crate) use wasmos_web_report::shown::{
    Escaped, EscapedBytes, Quoted, columns, counted, fit, grouped, is_printable, json,
};
