"""Networks that find keypoints, each trained and used in a process of its own (:func:`.supervisor.run_job`).

A :class:`.job.Job` goes in; predictions, a learning curve and an outcome come out as files. What it is trained with is
the :class:`.engine.Engine` that the job names; nothing else knows DeepLabCut or TensorFlow.
"""
