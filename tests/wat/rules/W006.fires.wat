;;! W006 warning
(module (memory 1) (func (export "_hash_cn")))
