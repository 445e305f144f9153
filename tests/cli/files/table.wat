(module (table 10 funcref) (func (export "_start")))
