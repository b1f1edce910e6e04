<%inherit file="base.mako"/>
<%def name="description()">All pages of the site, but those of the manifests, which the pages of the atlases lead to.</%def>
<h1>Map of the site</h1>
<h2>Atlases</h2>
<ul class="map">
% for atlas, url in atlases.items():
<li><a href="${root}${url}/"><bdi>${atlas}</bdi></a> <bdi>${names[atlas]}</bdi>: <a href="${root}${url}/fix/">what to fix</a>, <a href="${root}${url}/timeline/">timelines</a></li>
% endfor
</ul>
<h2>Pages</h2>
<ul class="map">
% for page in pages:
<li><a href="${root}${page.url}">${page.title}</a></li>
% endfor
</ul>
<h2>Checks</h2>
<ul class="map">
% for code, name, url in checks:
<li><a href="${root}${url}"><code>${code}</code></a> ${name}</li>
% endfor
</ul>
