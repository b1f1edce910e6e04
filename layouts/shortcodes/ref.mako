<%doc>
meaning = "A link to a page, with its title."
[arguments]
to = { meaning = "the path of an article below `content/`, with `#` and the id of a heading if it leads to one, the id of an atlas or a manifest, the code of a check" }
text = { meaning = "other words than the title", default = "" }
</%doc>
<% target = link(to) %>
<a href="${target.url}"><bdi>${text or target.title}</bdi></a>
