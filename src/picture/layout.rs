//! Places boxes in columns, from used workspaces to their users, with few crossing lines.
//!
//! This is the usual method for layered drawings (Sugiyama, Tagawa and Toda, 1981):
//!
//! 1. The column of a box is its longest way to an end.
//! 2. A line gets a place in each column that it passes.
//! 3. The order within a column follows the mean height of the neighbours.
//! 4. The heights are as near to the neighbours as the gaps between boxes allow.

/// A box, or a place where a line passes a column.
#[derive(Debug, Clone)]
struct Cell {
    /// The index of the box. `None` for a passing line.
    node: Option<usize>,
    column: usize,
    height: f64,
    y: f64,
    /// Neighbours in the columns to the left and to the right.
    before: Vec<usize>,
    after: Vec<usize>,
}

/// The layout of boxes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layout {
    /// The column and the middle of each box.
    pub(super) places: Vec<(usize, f64)>,
    /// For each line the columns that it passes, with its height there.
    pub(super) passes: Vec<Vec<(usize, f64)>>,
    /// The number of columns.
    pub(super) columns: usize,
    /// The total height.
    pub(super) height: f64,
}

/// The distance between boxes, and between lines.
const GAP: f64 = 14.0;
/// The height that a passing line takes.
const LINE: f64 = 6.0;
/// The number of passes over the columns. More passes change nothing visible.
const ROUNDS: usize = 24;

/// Lays out boxes of the same height. `last` tells which boxes belong in the last column.
pub(super) fn layout(last: &[bool], edges: &[(usize, usize)], height: f64) -> Layout {
    let ranks = ranks(last, edges);
    let columns = ranks.iter().max().map_or(0, |rank| rank + 1);
    let mut cells: Vec<Cell> = ranks
        .iter()
        .enumerate()
        .map(|(node, rank)| Cell {
            node: Some(node),
            column: *rank,
            height,
            y: 0.0,
            before: Vec::new(),
            after: Vec::new(),
        })
        .collect();
    let ways: Vec<Vec<usize>> = edges.iter().map(|edge| add_way(&mut cells, *edge)).collect();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); columns];
    for (index, cell) in cells.iter().enumerate() {
        order[cell.column].push(index);
    }
    arrange(&mut cells, &mut order);
    let top = cells.iter().map(|cell| cell.y - cell.height / 2.0).fold(f64::INFINITY, f64::min);
    let top = if top.is_finite() { top } else { 0.0 };
    let bottom = cells.iter().map(|cell| cell.y + cell.height / 2.0).fold(top, f64::max);
    let place = |index: &usize| (cells[*index].column, cells[*index].y - top);
    let is_pass = |index: &&usize| cells[**index].node.is_none();
    Layout {
        places: (0..last.len()).map(|index| place(&index)).collect(),
        passes: ways.iter().map(|way| way.iter().filter(is_pass).map(place).collect()).collect(),
        columns,
        height: bottom - top,
    }
}

/// Returns the column of each box: as far to the right as its users allow.
fn ranks(last: &[bool], edges: &[(usize, usize)]) -> Vec<usize> {
    let mut depth = vec![0usize; last.len()];
    // Finds the longest way to a user that nobody uses. There can be as many columns as boxes, so as many rounds are needed.
    for _ in 0..last.len() {
        for (used, user) in edges {
            depth[*used] = depth[*used].max(depth[*user] + 1);
        }
    }
    let most = depth.iter().max().copied().unwrap_or(0);
    let is_used = |index: usize| edges.iter().any(|(used, _)| *used == index);
    depth.iter().enumerate().map(|(i, depth)| if last[i] && !is_used(i) { most } else { most - depth }).collect()
}

/// Adds a place in each column between the ends of a line. Returns all cells of the line, from one end to the other.
fn add_way(cells: &mut Vec<Cell>, (from, to): (usize, usize)) -> Vec<usize> {
    let mut way = vec![from];
    for column in cells[from].column + 1..cells[to].column {
        way.push(cells.len());
        cells.push(Cell { node: None, column, height: LINE, y: 0.0, before: Vec::new(), after: Vec::new() });
    }
    way.push(to);
    for pair in way.windows(2) {
        cells[pair[0]].after.push(pair[1]);
        cells[pair[1]].before.push(pair[0]);
    }
    way
}

fn arrange(cells: &mut [Cell], order: &mut [Vec<usize>]) {
    for column in order.iter() {
        stack(cells, column);
    }
    for round in 0..ROUNDS {
        let is_forth = round % 2 == 0;
        let columns: Vec<usize> = if is_forth { (0..order.len()).collect() } else { (0..order.len()).rev().collect() };
        for column in columns {
            let wish = |cell: &Cell| -> f64 {
                let side = if is_forth { &cell.before } else { &cell.after };
                let near = if side.is_empty() { if is_forth { &cell.after } else { &cell.before } } else { side };
                mean(near.iter().map(|index| cells[*index].y)).unwrap_or(cell.y)
            };
            let mut wishes: Vec<(f64, usize)> =
                order[column].iter().map(|index| (wish(&cells[*index]), *index)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[column] = wishes.iter().map(|(_, index)| *index).collect();
            settle(cells, &wishes);
        }
    }
    // Finally, places each cell between its neighbours on both sides.
    for column in order.iter() {
        let wish =
            |cell: &Cell| mean(cell.before.iter().chain(&cell.after).map(|index| cells[*index].y)).unwrap_or(cell.y);
        let wishes: Vec<(f64, usize)> = column.iter().map(|index| (wish(&cells[*index]), *index)).collect();
        settle(cells, &wishes);
    }
}

fn stack(cells: &mut [Cell], column: &[usize]) {
    let mut y = 0.0;
    for index in column {
        cells[*index].y = y + cells[*index].height / 2.0;
        y += cells[*index].height + GAP;
    }
}

/// Places the cells of a column, in this order, as near to their wished heights as the gaps allow. The result has the least
/// squared distance; neighbours that would overlap are pooled.
fn settle(cells: &mut [Cell], wishes: &[(f64, usize)]) {
    let mut offsets = Vec::with_capacity(wishes.len());
    let mut offset = 0.0;
    for (place, (_, index)) in wishes.iter().enumerate() {
        if place > 0 {
            offset += f64::midpoint(cells[wishes[place - 1].1].height, cells[*index].height) + GAP;
        }
        offsets.push(offset);
    }
    // Blocks of touching cells: the sum of their wished heights, and their number.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (offset, (wish, _)) in offsets.iter().zip(wishes) {
        blocks.push((wish - offset, 1));
        while let [.., (sum, number), (next, more)] = blocks.as_slice() {
            if value((*sum, *number)) <= value((*next, *more)) {
                break;
            }
            let merged = (sum + next, number + more);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let starts = blocks.iter().flat_map(|block| std::iter::repeat_n(value(*block), block.1));
    for ((start, offset), (_, index)) in starts.zip(&offsets).zip(wishes) {
        cells[*index].y = start + offset;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen boxes")]
fn value((sum, number): (f64, usize)) -> f64 {
    sum / number as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, number) = values.fold((0.0, 0), |(sum, number), value| (sum + value, number + 1));
    (number > 0).then(|| value((sum, number)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes_stand_in_columns_by_who_uses_them() {
        // 0 <- 1 <- 2, 0 <- 3. Boxes 2 and 3 are apps. Box 4 has no lines.
        let layout = layout(&[false, false, true, true, true], &[(0, 1), (1, 2), (0, 3)], 40.0);
        let columns: Vec<usize> = layout.places.iter().map(|(column, _)| *column).collect();
        assert_eq!(columns, [0, 1, 2, 2, 2]);
        assert_eq!(layout.columns, 3);
        assert_eq!(layout.passes.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 1]);
    }

    proptest! {
        #[test]
        fn boxes_never_overlap(edges in prop::collection::vec((0usize..12, 0usize..12), 0..30)) {
            let edges: Vec<_> = edges.into_iter().filter(|(used, user)| used < user).collect();
            let layout = layout(&[true; 12], &edges, 40.0);
            for (i, (column, y)) in layout.places.iter().enumerate() {
                prop_assert!(*y >= 19.9 && *y <= layout.height - 19.9);
                for (other, at) in &layout.places[i + 1..] {
                    prop_assert!(column != other || (y - at).abs() > 40.0);
                }
            }
            for (used, user) in edges {
                prop_assert!(layout.places[used].0 < layout.places[user].0);
            }
        }
    }
}
