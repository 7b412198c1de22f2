import * as api from "replicator@v2";

// The target has a column that is computed from others.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_COMPUTE = "order_lines";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (meta.table === TABLE_TO_COMPUTE) {
      const price = Number(row.price as string) || 0;
      const qty = Number(row.qty as string) || 0;
      row.total = (price * qty).toFixed(2);
    }
    return row;
  },
  onRowDelete: (row, meta) => row,
});
