## Charts as SVG: drawn from the geometry that the program worked out, with a text that says the same.
<%def name="matrix(chart, table)">
<figure class="chart" id="completeness-${chart.key}">
<figcaption>${chart.title} <small>${plural(chart.count, chart.rows[:-1])}</small></figcaption>
<div class="wide" tabindex="0" role="region" aria-label="${chart.title}">
<svg role="img" aria-labelledby="${chart.key}-title ${chart.key}-desc" width="${chart.width}" height="${chart.height + 180}" viewBox="0 0 ${chart.width} ${chart.height + 180}">
<title id="${chart.key}-title">${chart.title}</title>
<desc id="${chart.key}-desc">A row for each of ${plural(chart.count - chart.empty, chart.rows[:-1])}, a column for each component; a mark where there is metadata. The table below has the counts.</desc>
% for number, name in enumerate(chart.names):
<text class="row" x="${chart.left - 6}" y="${150 + chart.row_height * (number + 0.75)}">${name}</text>
% endfor
% for column in chart.columns:
<text class="column" transform="translate(${column.x + 4} 144) rotate(-50)">${column.short}<title>${column.label}</title></text>
<rect class="ground" x="${column.x - 10}" y="150" width="20" height="${chart.height}"/>
% if column.path:
<path class="mark" transform="translate(${column.x} 150) scale(1 ${chart.row_height})" d="M0 0${column.path}"/>
% endif
<text class="total" x="${column.x}" y="${chart.height + 166}">${count(column.count)}</text>
% endfor
</svg>
</div>
% if chart.empty:
<p class="small">${plural(chart.empty, chart.rows[:-1])} ${"has" if chart.empty == 1 else "have"} no record in these components.</p>
% endif
% if chart.left_out:
<p class="small">${plural(chart.left_out, "more component")} that the catalogue does not know ${"has" if chart.left_out == 1 else "have"} no column here.</p>
% endif
<details><summary>The counts as a table</summary>
<table>
<thead><tr><th scope="col">Component</th><th scope="col" class="number">${chart.rows.capitalize()}</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>
% for column in chart.columns:
<tr><th scope="row">${column.label}</th><td class="number">${count(column.count)}</td><td class="number">${percent(column.count, chart.count)}</td></tr>
% endfor
</tbody>
</table>
</details>
<p class="small"><a href="${table}" download>The full table as CSV</a></p>
</figure>
</%def>

<%def name="timelines(charts)">
% if charts:
<p class="legend small"><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><circle class="sample" cx="7" cy="7" r="5"/></svg> sample <svg width="24" height="14" viewBox="0 0 24 14" aria-hidden="true"><rect class="therapy" x="0" y="2" width="24" height="9" rx="2"/></svg> therapy · all are drawn to one scale, from day 0 to day ${count(charts[0].scale)}</p>
% endif
% for chart in charts:
<figure class="timeline">
<figcaption><bdi>${chart.participant}</bdi> <small>${plural(len(chart.events) + chart.more, "event")}</small></figcaption>
<svg role="img" aria-label="Events of ${chart.participant} from day 0 to day ${chart.scale}" width="${chart.width + 20}" height="${chart.height + 22}" viewBox="-6 -4 ${chart.width + 20} ${chart.height + 22}">
<text class="day" x="0" y="${chart.height + 14}">day 0</text><text class="day last" x="${chart.width}" y="${chart.height + 14}">day ${count(chart.scale)}</text>
<line class="axis" x1="0" y1="${chart.height + 2}" x2="${chart.width}" y2="${chart.height + 2}"/>
% for event in chart.events:
% if event.kind == "therapy":
<rect class="therapy" x="${event.x}" y="${event.y + 3}" width="${event.width}" height="9" rx="2"><title>${event.label}, day ${event.start} to ${event.end}</title></rect>
% else:
<circle class="sample" cx="${event.x}" cy="${event.y + 7.5}" r="5"><title>${event.label}, day ${event.start}${f", {event.count} samples" if event.count > 1 else ""}</title></circle>
% endif
% endfor
</svg>
<details><summary>As a list</summary><ul>
% for event in chart.events:
<li>${"day " + count(event.start) if event.start == event.end else f"days {event.start:,} to {event.end:,}"}: ${event.label}${" (" + event.detail + ")" if event.detail else ""}${f", {event.count} samples" if event.count > 1 else ""}\
% if event.ids:
: <bdi>${", ".join(event.ids[:20])}</bdi>${" …" if len(event.ids) > 20 else ""}\
% endif
</li>
% endfor
</ul></details>
% if chart.more:
<p class="small">Only the first ${plural(len(chart.events), "event")} are shown; <code>atlas.json</code> has all.</p>
% endif
</figure>
% endfor
</%def>

<%def name="trend(chart, label)">
<figure class="trend">
<figcaption>${label}</figcaption>
<svg role="img" aria-label="${label}: ${chart.values[0][1]} on ${chart.values[0][0]}, ${chart.values[1][1]} on ${chart.values[1][0]}, never below ${chart.lowest} nor above ${chart.highest}" width="${chart.width + 8}" height="${chart.height + 8}" viewBox="-4 -4 ${chart.width + 8} ${chart.height + 8}">
<path class="line" d="${chart.path}"/><circle class="sample" cx="${chart.x}" cy="${chart.y}" r="3.5"/>
</svg>
<p class="ends small">\
% for day, value in chart.values:
<span><strong>${value}</strong> <time datetime="${day}">${day}</time></span>\
% endfor
</p>
</figure>
</%def>
