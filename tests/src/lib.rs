//! What several test files and the fuzz targets share: the official suite, an oracle, generators of modules.

#![forbid(unsafe_code)]

pub mod generate;
pub mod guard;
pub mod listed;
pub mod mutate;
pub mod oracle;
pub mod pool;
pub mod shapes;
pub mod slices;
pub mod suite;
pub mod tiers;
