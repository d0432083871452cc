export { openDatabase, type Database, type Migration, type Row, type Statement } from './database.ts';
export { storeMigrations } from './migrations.ts';
