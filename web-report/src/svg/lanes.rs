//! Which edge runs in which lane beside the blocks.

/// How many lanes stand beside the blocks; edges that find none free share the last.
const MAX_LANES: u32 = 24;

/// Edges between rows, each in a lane that no other edge uses along the same rows.
#[derive(Debug)]
pub(super) struct Lanes {
    edges: Vec<(u32, (usize, usize))>,
    n_lanes: u32,
}

impl Lanes {
    /// Gives short edges the inner lanes.
    pub(super) fn assign(edges: &[(usize, usize)]) -> Self {
        let mut sorted = edges.to_vec();
        sorted.sort_by_key(|(from, to)| (from.abs_diff(*to), *from, *to));
        let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut placed = Vec::new();
        for (from, to) in sorted {
            let (first, last) = (from.min(to), from.max(to));
            let is_free =
                |lane: &Vec<(usize, usize)>| lane.iter().all(|(top, end)| last < *top || *end < first);
            let lane = lanes.iter().position(is_free).unwrap_or(lanes.len()).min(MAX_LANES as usize - 1);
            if lane == lanes.len() {
                lanes.push(Vec::new());
            }
            lanes[lane].push((first, last));
            placed.push((u32::try_from(lane).unwrap_or(MAX_LANES), (from, to)));
        }
        Self { edges: placed, n_lanes: u32::try_from(lanes.len()).unwrap_or(MAX_LANES) }
    }

    /// Yields the edges, each with its lane, from 0 beside the blocks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, (usize, usize))> {
        self.edges.iter().copied()
    }

    /// Returns how wide all lanes together are.
    pub(super) const fn width(&self, lane: u32) -> u32 {
        if self.n_lanes == 0 { 0 } else { (self.n_lanes + 1) * lane }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_along_the_same_rows_run_in_different_lanes() {
        let lanes = Lanes::assign(&[(0, 5), (1, 3), (6, 9), (4, 8)]);
        for (lane, (from, to)) in lanes.iter() {
            for (other, (other_from, other_to)) in lanes.iter() {
                let apart = to < other_from || other_to < from;
                assert!(apart || lane != other || (from, to) == (other_from, other_to));
            }
        }
        assert_eq!(lanes.n_lanes, 3);
    }

    #[test]
    fn the_lanes_are_capped() {
        let edges: Vec<_> = (0..100).map(|at| (at, 200 - at)).collect();
        assert_eq!(Lanes::assign(&edges).n_lanes, MAX_LANES);
    }
}
