// <line-chart data-chart="{...}">: one uPlot that follows its box and the theme.
//
// data-chart is JSON: {"x": [...], "time": true|false, "series": [{"label",
// "values": [number|null, ...], "unit": "s", "side": "left"|"right", "sparse": bool},
// ...]}.
// With "time" the x values are Unix seconds, else steps.

// Steps and minutes are whole: there is no mark between two of them.
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((size) => [size, 2 * size, 5 * size]);
const STROKES = ["primary", "secondary", "accent", "info"];

class LineChart extends HTMLElement {
  connectedCallback() {
    this.draw = this.draw.bind(this);
    this.observer = new ResizeObserver(() => this.resize());
    document.addEventListener("themechange", this.draw);
    // Canvas text falls back to a serif unless the font is there first.
    document.fonts.load("12px Inter").finally(() => {
      if (!this.isConnected) return;
      this.draw();
      this.observer.observe(this);
    });
  }

  disconnectedCallback() {
    document.removeEventListener("themechange", this.draw);
    this.observer.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  resize() {
    if (!this.plot || this.clientWidth === this.plot.width) return;
    this.plot.setSize({ width: this.clientWidth, height: this.plot.height });
  }

  draw() {
    const chart = JSON.parse(this.dataset.chart);
    const style = getComputedStyle(this);
    const color = (name) => style.getPropertyValue(`--color-${name}`).trim();
    const axis = (more) => ({
      stroke: color("base-content"),
      grid: { stroke: color("base-300"), width: 1 },
      ticks: { show: false },
      font: "12px Inter",
      ...more,
    });
    const number = (value, unit) =>
      value == null ? "–" : `${+value.toPrecision(4)}${unit ? ` ${unit}` : ""}`;
    const axes = [axis(chart.time ? {} : { incrs: WHOLE })];
    const series = [chart.time ? {} : { label: chart.xlabel || "Step" }];
    const seen = new Set();
    chart.series.forEach((row, index) => {
      const scale = row.side === "right" ? "right" : "y";
      const stroke = color(STROKES[index % STROKES.length]);
      if (!seen.has(scale)) {
        seen.add(scale);
        axes.push(
          axis({
            scale,
            side: scale === "right" ? 1 : 3,
            grid: scale === "right" ? { show: false } : { stroke: color("base-300"), width: 1 },
            values: (_, ticks) => ticks.map((tick) => number(tick, row.unit)),
            size: row.unit ? 62 : 50,
          }),
        );
      }
      series.push({
        label: row.label,
        scale,
        stroke,
        width: 2,
        dash: index ? [5, 4] : undefined,
        fill: index ? undefined : `color-mix(in oklab, ${stroke} 14%, transparent)`,
        // A value now and then is a dot: a line would tell of times when nothing was.
        points: { show: row.sparse || chart.x.length < 30, size: 5, fill: stroke },
        spanGaps: !row.sparse,
        value: (_, value) => number(value, row.unit),
      });
    });
    this.plot?.destroy();
    this.replaceChildren();
    this.plot = new uPlot(
      {
        width: this.clientWidth,
        height: Number(this.dataset.height || 220),
        scales: { x: { time: Boolean(chart.time) }, y: { range: zeroBased } },
        cursor: { y: false },
        series,
        axes,
      },
      [chart.x, ...chart.series.map((row) => row.values)],
      this,
    );
  }
}

function zeroBased(_, low, high) {
  if (low == null) return [0, 1];
  return [Math.min(0, low), high > 0 ? high * 1.08 : 1];
}

customElements.define("line-chart", LineChart);
