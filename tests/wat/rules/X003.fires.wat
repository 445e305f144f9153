;;! X003 warning
(module (func (export "ok\e2\80\aeko")))
