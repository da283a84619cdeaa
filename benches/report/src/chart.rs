//! The chart: how long a request takes with each peer, as bars.

use std::{error::Error, path::Path};

use plotters::prelude::{
    BLACK, FontTransform, IntoDrawingArea, IntoFont, RGBColor, Rectangle, SVGBackend, ShapeStyle, Text, WHITE,
};

use crate::{
    estimates::{Row, Run},
    tables::OURS,
};

const WIDTH: u32 = 900;
const LABELS: i32 = 380;
const BAR: i32 = 26;
const OUR_COLOR: RGBColor = RGBColor(0x1b, 0x6a, 0xc9);
const COLOR: RGBColor = RGBColor(0xb8, 0xc0, 0xca);

pub(crate) fn draw(run: &Run, path: &Path) -> Result<(), Box<dyn Error>> {
    let mut rows: Vec<&Row> = run.group("peers").into_iter().filter(|row| row.what == "1").collect();
    rows.sort_by(|a, b| a.ns.total_cmp(&b.ns));
    let longest = rows.last().ok_or("no peer was measured")?.ns;
    let area = SVGBackend::new(path, (WIDTH, 20 + BAR as u32 * rows.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = ("sans-serif", 14).into_font().transform(FontTransform::None);
    for (i, row) in (0..).zip(&rows) {
        let top = 10 + BAR * i;
        let length = (f64::from(WIDTH as i32 - LABELS - 80) * row.ns / longest) as i32;
        let color = if row.who.starts_with(OURS) { OUR_COLOR } else { COLOR };
        area.draw(&Text::new(row.who.clone(), (10, top + 5), font.clone().color(&BLACK)))?;
        let bar = [(LABELS, top + 2), (LABELS + length, top + BAR - 4)];
        area.draw(&Rectangle::new(bar, ShapeStyle::from(&color).filled()))?;
        let time = format!("{:.0} ns", row.ns);
        area.draw(&Text::new(time, (LABELS + length + 6, top + 5), font.clone().color(&BLACK)))?;
    }
    area.present()?;
    Ok(())
}
