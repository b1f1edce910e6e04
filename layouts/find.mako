<%inherit file="base.mako"/>
<%def name="description()">Find a participant, a biospecimen or a data file of HTAN by its id.</%def>
<%def name="head()"><script src="${script}" defer blocking="render"></script></%def>
<h1>Find an id</h1>
<div class="text">
<p>Type the id of a participant, a biospecimen or a data file, or the beginning of one.</p>
<div role="search" class="find" id="find" data-others="${strays}">
<label for="id">Id, such as <code>HTA3_8001</code></label>
<input id="id" type="search" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="200" aria-describedby="said">
<button type="button" id="go">Find</button>
</div>
</div>
<p id="said" role="status" aria-live="polite" class="small"></p>
<section id="found" aria-label="What was found"></section>
<section aria-labelledby="atlases-title">
<h2 id="atlases-title">By atlas</h2>
<p>The box needs JavaScript. Without it, begin with the participants of an atlas: the page of each leads to all that comes from it.</p>
% if atlases:
<ul class="atlases">
% for atlas, name in atlases:
<li><a href="../${name}/participants/" data-atlas="${atlas}" data-folder="${name}"><bdi>${atlas}</bdi></a></li>
% endfor
</ul>
% else:
<p class="empty">There is no atlas yet.</p>
% endif
</section>
