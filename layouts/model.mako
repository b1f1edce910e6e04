<%inherit file="base.mako"/>
<%def name="title()">Data model</%def>
<%def name="description()">The components of the HTAN data model, and the ids that link their rows.</%def>
<%
    words = {
        "clinical": ("Clinical", "A row tells something of a participant. Demographics names every participant once; the others, which also come in tiers by cancer, name the same ids again."),
        "biospecimen": ("Biospecimens", "A row is a sample. Its parent is the participant that it was taken from, or the sample that it is a part of."),
        "assay": ("Assays", "A row is a file that was measured or computed. At the first level its parent is a biospecimen, above that mostly the file that it was computed from."),
    }
%>
<h1>Data model</h1>
<div class="text">
<p>Metadata comes in manifests: tables in CSV, uploaded to Synapse beside the files that they describe. Each manifest is of one
<em>component</em>, which says what a row is and which columns it has. This dashboard knows ${plural(total, "component")}.</p>
<h2 id="ids">Ids hold it together</h2>
<p>Every row has an id of its own and names what it comes from:
participant, biospecimen, file of raw data, files computed from that. Ids follow one pattern, here for the atlas HTA3:</p>
<ul>
<li><code>HTA3_8001</code> is a participant: the atlas, and a number.</li>
<li><code>HTA3_8001_1</code> is a biospecimen of that participant.</li>
<li><code>HTA3_8001_2001</code> is a data file of that participant.</li>
<li><code>HTA3_0000_1</code> is of no single participant, and <code>HTA3_EXT5</code> comes from outside of the atlas.</li>
</ul>
<p>In the second phase of HTAN (atlases HTA200 to HTA209) a biospecimen ends in <code>_B</code> and a number, a data file in
<code>_D</code> and a number. The check <a href="${root}checks/h_id_spec/">H_ID_SPEC</a> looks at each id, and
<a href="${root}checks/h_links/">H_LINKS</a> at where it leads.</p>
<h2 id="names">Names of components</h2>
<p>In a manifest, a component is written without blanks: <em>scRNA-seq Level 1</em> is <code>ScRNA-seqLevel1</code>. A component
that is not listed here is shown and counted all the same, with one warning of
<a href="${root}checks/h_categories/">H_CATEGORIES</a>.</p>
</div>
% for kind, components in kinds:
<h2 id="${kind}">${words[kind][0]}</h2>
<p>${words[kind][1]}</p>
<div class="wide" tabindex="0" role="region" aria-label="${words[kind][0]}">
<table class="sortable filterable" data-name="${kind}">
<thead><tr><th scope="col">Component</th><th scope="col">In manifests</th><th scope="col">Its id</th><th scope="col">Its parent</th></tr></thead>
<tbody>
% for one in components:
<tr id="${anchors[one.name]}"><th scope="row">${one.label}</th><td><code>${one.name}</code></td><td>${one.primary_id or "–"}</td><td>${" and ".join(filter(None, (one.parent_id, one.second_parent_id))) or "–"}</td></tr>
% endfor
</tbody>
</table>
</div>
% endfor
