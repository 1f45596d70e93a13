// The inputs: a row for each file and modality that has embeddings, as the manifest has them, then those that failed.

const OF_THE_BYTES = new Set(["conflict", "copy"]); // such a doubt concerns both modalities of a file

function doubtsAbout(file, modality) {
  return (doubtsOf.get(file) ?? []).filter((doubt) => doubt.modality === modality || OF_THE_BYTES.has(doubt.kind));
}

const inputs = maps.flatMap((map) =>
  Array.from(map.files, (file, point) => ({
    file,
    map,
    point,
    modality: map.modality,
    prediction: predictionOf(map, point),
    doubts: doubtsAbout(file, map.modality),
    failure: "",
  })),
);
for (const [file, failures] of failuresOf) {
  for (const { modality, reason } of failures) {
    inputs.push({ file, map: null, point: null, modality, prediction: null, doubts: [], failure: reason });
  }
}

// The row of a file in a modality; in another one, or the one that failed, if it has none there.
const rowsOf = Map.groupBy ? Map.groupBy(inputs, (row) => row.file) : inputs.reduce((found, row) => found.set(row.file, [...(found.get(row.file) ?? []), row]), new Map());

function inputOf(file, modality) {
  const rows = rowsOf.get(file) ?? [];
  return rows.find((row) => row.map && row.modality === modality) ?? rows[0];
}

const percent = (share) => `${Math.round(share * 100)} %`;

// A kind of doubt as a small mark, with all of its words behind it.
function doubtMark(kind, words) {
  return element("span", { class: `doubt${kind === "failed" ? " failed" : ""}`, title: words }, kind);
}
