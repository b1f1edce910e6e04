<%doc>
meaning = "A figure of all atlases together."
[arguments]
field = { meaning = "one of the fields below" }
</%doc>
${total(field)}
