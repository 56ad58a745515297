//! Text tables whose columns are as wide as they need to be. Cell contents are escaped.

use kmk_kafka::printable;

/// Wider cells move what stands behind them, and nothing in other lines: names can have 249 characters.
const WIDEST: usize = 64;

/// Lines of cells; the first line is the heading. No spaces at the ends of lines.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| printable::name(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        widths.filter(|width| *width <= WIDEST).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    lines.join("\n")
}

/// A row of a [`table`].
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [row(["A", "B"]), row(["long→", ""]), row(["x", "y"])];
        assert_eq!(table(&rows), "A      B\nlong→\nx      y");
    }

    #[test]
    fn no_cell_leaves_its_place() {
        let rows = [row(["A", "B"]), row(["x\r\n\u{1b}[2K", "1"])];
        assert_eq!(
            table(&rows),
            "A                       B\nx\\u000d\\u000a\\u001b[2K  1"
        );
    }

    #[test]
    fn a_name_of_241_characters_moves_no_other_line() {
        let long = "x".repeat(241);
        let rows = [row(["A", "B"]), row([&long, "1"]), row(["y", "2"])];
        assert_eq!(table(&rows), format!("A  B\n{long}  1\ny  2"));
    }
}
