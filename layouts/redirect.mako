<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url=${target}">
<link rel="canonical" href="${target}">
<title>This page has moved</title>
<main>
<h1>This page has moved</h1>
<p><a href="${target}">It is here now</a>.</p>
</main>
</html>
