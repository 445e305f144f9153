;;! no W006
(module (memory 1) (func (export "_hash_cnt")))
