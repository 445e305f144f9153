;;! no L004
(module (memory 1 2))
