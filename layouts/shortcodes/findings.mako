<%doc>
meaning = "How much the checks find."
[arguments]
check = { meaning = "the code of one check", default = "" }
atlas = { meaning = "the id of one atlas", default = "" }
</%doc>
<% errors, warnings = findings(check, atlas) %>
% if errors:
${plural(errors, "error")}${" and" if warnings else ""}
% endif
% if warnings:
${plural(warnings, "warning")}
% endif
% if not errors and not warnings:
no findings
% endif
