//! Medians, spreads and geometric means.

/// Sorts and returns the least, the median and the largest value.
pub fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    match values.as_slice() {
        [] => [f64::NAN; 3],
        [first, .., last] => [*first, values[values.len() / 2], *last],
        [only] => [*only; 3],
    }
}

/// Returns the geometric mean.
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) = values.into_iter().fold((0.0, 0.0), |(sum, n), value: f64| (sum + value.ln(), n + 1.0));
    (sum / n).exp()
}
