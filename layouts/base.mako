## What every page has around it. A page inherits this and has a title, a description, and a body.
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${self.title()} · ${site["title"]}</title>
<meta name="description" content="${self.description()}">
<link rel="icon" href="${assets["icon.svg"]}" type="image/svg+xml">
<link rel="stylesheet" href="${assets["site.css"]}">
<script src="${assets["theme.js"]}"></script>
<script src="${assets["site.js"]}" defer blocking="render"></script>
<script src="${assets["tables.js"]}" defer blocking="render"></script>
<script src="${assets["search.js"]}" defer blocking="render"></script>
## A page is drawn once, whole and with what its scripts add: nothing moves under a reader's hand.
<link rel="expect" href="#end" blocking="render">
${self.head()}
</head>
<body data-root="${root}" data-status="${root}status.json">
<a class="skip" href="#content">To the content</a>
<header class="top">
<a class="name" href="${root}"><img src="${assets["icon.svg"]}" alt="" width="24" height="24">${site["title"]}</a>
<nav aria-label="Site"><ul>
<li><a href="${root}"${' aria-current="page"' if route.url == "" else "" | n}>Atlases</a></li>
% for name, url, here in menu:
<li><a href="${url}"${' aria-current="page"' if here else "" | n}>${name}</a></li>
% endfor
</ul></nav>
<a class="search" href="${root}search/"${' aria-current="page"' if route.url == "search/" else "" | n}>Search</a>
</header>
% if site["sample"]:
<p class="notice sample"><strong>Sample data.</strong> The atlases on this site are made up, and so is every name and figure in them.</p>
% endif
<main id="content" data-atlas="${self.about_atlas()}">
${self.body()}\
</main>
<footer id="end">
<p>Human Tumor Atlas Network · made by hdash-site ${version} · last check, and atlases that could not be updated: <a href="${root}status.json">status.json</a><span id="checked"></span></p>
</footer>
## site.js says here what status.json has for this page. Nothing else of a page depends on that file.
<div class="notices" role="status"></div>
</body>
</html>
<%def name="title()">${route.title}</%def>
<%def name="description()">${route.title}</%def>
<%def name="head()"></%def>
## The id of the atlas that a page is about, if it is about one.
<%def name="about_atlas()"></%def>
