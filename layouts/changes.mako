<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="head()"><link rel="alternate" type="application/atom+xml" title="Changes" href="${root}changes/feed.xml"></%def>
<%def name="description()">What changed in the figures of the atlases, and when.</%def>
% if route.argument:
<nav class="crumbs" aria-label="Where you are"><a href="../">Changes</a> › page ${route.argument}</nav>
% endif
<h1>${route.title}</h1>
% if not route.argument:
<p>Each time that the atlases are read and a figure, a manifest or a finding is another than before, that is kept here. There is a <a href="feed.xml">feed</a> of it.</p>
% endif
% if editions:
<ul class="articles">
% for one, said in editions:
<li><a href="${root}changes/${one["name"]}/"><time datetime="${one["when"]}">${clock(one["when"])}</time></a>
<p>${said}</p></li>
% endfor
</ul>
% else:
<p class="empty">No figures are kept yet. The next build that reads the atlases begins with it.</p>
% endif
% if older:
<nav class="pages" aria-label="Older changes"><p>Older changes:</p><ul>
% for number in older:
<li><a href="${root}changes/page-${number}/">page ${number}</a></li>
% endfor
</ul></nav>
% endif
