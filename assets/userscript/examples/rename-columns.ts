import * as api from "replicator@v2";

// Columns have other names on the target, the key's among them.

const TARGET_SCHEMA_NAME = "defaultdb.public";
const TABLE_TO_EDIT = "employees";

api.configureTargetSchema(TARGET_SCHEMA_NAME, {
  onRowUpsert: (row, meta) => {
    if (meta.table === TABLE_TO_EDIT) {
      if (row.emp_id !== undefined) {
        row.employee_id = row.emp_id;
        delete row.emp_id;
      }
      if (row.emp_name !== undefined) {
        row.employee_name = row.emp_name;
        delete row.emp_name;
      }
    }
    return row;
  },
  onRowDelete: (row, meta) => {
    if (meta.table === TABLE_TO_EDIT && row.emp_id !== undefined) {
      row.employee_id = row.emp_id;
      delete row.emp_id;
    }
    return row;
  },
});
