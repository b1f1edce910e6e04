<%doc>
meaning = "A figure of an atlas, as its page shows it."
[arguments]
atlas = { meaning = "the id of an atlas" }
field = { meaning = "one of the fields below" }
</%doc>
${figure(atlas, field)}
