;;! M004 info
(module (table (export "__indirect_function_table") 1 funcref))
