<%inherit file="base.mako"/>
<h1>Tags</h1>
<ul class="articles">
% for tag, address, number in tags:
<li><a href="${address}/">${tag}</a> <span class="small">${plural(number, "article")}</span></li>
% endfor
</ul>
