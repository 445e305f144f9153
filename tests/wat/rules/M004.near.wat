;;! no M004
(module (table 1 funcref) (memory (export "memory") 1 1))
