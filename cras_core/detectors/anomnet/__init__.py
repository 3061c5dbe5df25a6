"""AnomNet: cloth is judged by its distance to the nearest of a set of learnt centroids ("Dual-stage centroid
optimisation": attraction, separation and entropy place them, a contrastive loss then shapes the features around them).

The paper leaves open backbone and levels, the number of centroids, the threshold of the separation, the weights of the
stages, the epochs and the pooling of a picture's score, and no code is public. Every such choice is a setting
(``settings.AnomNetConfig``); what was tried is in docs/measurements.md.
"""
