import * as api from "replicator@v2";

// The rows of one table go to several, by their key.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_PARTITION = "items";

function partition(row, meta) {
  if (meta.table === TABLE_TO_PARTITION) {
    const id = Number(row.id as string);
    if (id <= 10000) {
      return { "items_1": [row] };
    } else if (id <= 20000) {
      return { "items_2": [row] };
    } else {
      return { "items_3": [row] };
    }
  }
  return row;
}

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: partition,
  onRowDelete: partition,
});
