//! Every numeric operation, once: both tiers compute by these.
