import time, numpy as np
def test_it(finished, snapshot, open_trainer, write_job, tmp_path):
    print(finished.log.read_text()[-300:], finished.learning_curve.read_text(), finished.outcome.read_text(), snapshot)
    for net in ("mobilenet_v2_0.35", "resnet_50"):
        t=time.time(); L=[]
        f=write_job(tmp_path/net, net_type=net, iterations=6)
        with open_trainer(f, lambda i,l: L.append(l)) as tr:
            print(net, "graph", time.time()-t); t=time.time()
            print(tr.initialise()); print("init", time.time()-t); t=time.time()
            tr.run(lambda: 1.0); print("run6", time.time()-t, L)
