//! What the analysis found, for people: drawings and pages.
//!
//! A rendering is a function of the report alone, so that the same module gives the same bytes. Text of the guest is
//! only ever text: it goes through a template that escapes it.

#![forbid(unsafe_code)]

pub mod csv;
pub mod dot;
pub mod html;
pub mod json;
pub mod sarif;
pub mod shown;
pub mod svg;
pub mod text;
