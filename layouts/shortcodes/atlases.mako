<%doc>
meaning = "A table of atlases."
block = true
[arguments]
fields = { meaning = "the columns: `name` and fields, with commas between", default = "name, files, bytes, complete, errors, warnings" }
where = { meaning = "conditions, with commas between: `errors>0, complete<50`", default = "" }
sort = { meaning = "the field to sort by, smallest first; `-files`: largest first", default = "" }
limit = { meaning = "at most so many rows", default = "" }
</%doc>
<% found = table(fields, where, sort, limit) %>
% if found.rows:
<div class="wide" tabindex="0" role="region" aria-label="Table of atlases: ${fields}${f", where {where}" if where else ""}">
<table class="sortable">
<thead><tr><th scope="col">Atlas</th>\
% for label, is_number in found.columns:
<th scope="col"${' class="number"' if is_number else "" | n}>${label}</th>\
% endfor
</tr></thead>
<tbody>
% for atlas, url, cells in found.rows:
<tr><th scope="row"><a href="${url}"><bdi>${atlas}</bdi></a></th>\
% for (label, is_number), (text, value) in zip(found.columns, cells):
% if is_number:
<td class="number" data-value="${value}">${text}</td>\
% else:
<td><bdi>${text}</bdi></td>\
% endif
% endfor
</tr>
% endfor
</tbody>
</table>
</div>
% else:
<p class="empty">There is no such atlas now.</p>
% endif
